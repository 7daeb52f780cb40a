"""Who runs the shards: this process, others here, or an engine that is there already."""
