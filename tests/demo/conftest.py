import pytest

import polyattr


@pytest.fixture(
    params=[i.name for i in polyattr.backends().values() if i.installed and i.name != "tensorflow"]
)
def backend_name(request):
    return request.param
