"""The run over a data set, as the process that was called sees it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyattr.datasets.executors.choice import choose
from polyattr.datasets.explained import Explained
from polyattr.datasets.model.fingerprint import fingerprint
from polyattr.datasets.runs.asked import Asked, folder_of, rows_of, worker_of
from polyattr.datasets.runs.job import Job, Task
from polyattr.datasets.runs.manifest import key_of, open_manifest, versions
from polyattr.datasets.runs.plan import Plan, check_part, make_plan
from polyattr.datasets.runs.showing import bar
from polyattr.datasets.runs.totals import Totals
from polyattr.datasets.shards.atomic import explained_failure, staging, sweep
from polyattr.datasets.shards.opening import store_of
from polyattr.datasets.shards.records import read_record, rows_digest, what_is_wrong
from polyattr.datasets.shards.store import kind_of
from polyattr.datasets.sources.source import Held, Joined, Source
from polyattr.datasets.sources.stream import shards_of
from polyattr.datasets.summaries.partial import Wanted
from polyattr.datasets.work import Work
from polyattr.errors import InputError

_LOG = logging.getLogger("polyattr")


def run(method: Any, given: Any, out: Any, asked: Asked) -> Explained:
    """Does what `explain_dataset` was asked to.

    Raises:
        PolyattrError: As `explain_dataset`.
        OSError: The disk is full.
        KeyboardInterrupt: Ctrl-C was pressed; the message says how to go on.
    """
    asked.check()
    part = check_part(asked.part)
    executor = choose(asked.executor)
    folder, beside = folder_of(out)
    kind = kind_of(folder, asked.format)
    worker = worker_of(method, asked)
    source = rows_of(given, worker, asked)
    one = _Run(folder, beside, kind, worker, source, asked)
    one.look()
    try:
        one.begin()
    except OSError as error:
        raise explained_failure(error, folder, "the manifest") from error
    with bar(asked.progress, one.plan.rows) as tick, _stopping() as stop:
        for record in executor(one.job, one.tasks(part, tick, stop)):
            one.add(record, made=True)
            tick(record, one.totals)
    if stop.is_set():
        raise KeyboardInterrupt(
            f"stopped after {one.totals.rows:,} {_of(one.plan.rows)}rows, which are finished in "
            f"{folder}; make the same call again to go on"
        )
    return one.end(part)


def _of(rows: int | None) -> str:
    return "" if rows is None else f"of {rows:,} "


@dataclass
class _Run:
    """One run: what it is asked, and what is known of it so far."""

    out: Path
    beside: Path
    kind: str
    worker: Work
    source: Source | Iterable[Any]
    asked: Asked
    totals: Totals = field(default_factory=Totals)

    def look(self) -> None:
        """Looks at the first rows, and plans."""
        source, asked = self.source, self.asked
        if isinstance(source, Source):
            first = source.read(0, 1).inputs
            rows: int | None = len(source)
        else:
            self.source = source = _Peeked(source, self.worker)
            first, rows = source.first, None
        sizes = asked.rows_per_call, asked.rows_per_shard
        self.plan: Plan = make_plan(rows, first[:1].nbytes, *sizes)
        store_of(self.kind, self.out, self.plan.shard)  # what it needs is asked for before the work
        self._asks = self._question()

    def begin(self) -> None:
        """Writes or compares the manifest."""
        source, asked, question = self.source, self.asked, self._asks
        stamp = source.stamp() if isinstance(source, Source) else {}
        before = open_manifest(self.out, self.beside, question, stamp)
        # Of what is in memory only the rows themselves tell.
        self._changed = not stamp or before != stamp
        (self.beside / "shards").mkdir(parents=True, exist_ok=True)
        sweep(self.beside)
        wanted = Wanted(self.plan.rows) if asked.summary else None
        self.job = Job(
            self.worker, self.out, self.beside, self.kind, self.plan.call, self.plan.shard,
            asked.dtype, bool(asked.maps), wanted, key_of(question),
        )  # fmt: skip

    def _question(self) -> dict[str, Any]:
        asked, source = self.asked, self.source
        described: dict[str, Any] = {"kind": "stream"}
        chosen: dict[str, Any] = {}
        if isinstance(source, Joined):
            described = source.described()
            held = {"targets": source.targets, "ids": source.ids, "where": source.chosen}
            chosen = {name: fingerprint(v) for name, v in held.items() if v is not None}
        layout = {
            "format": self.kind,
            "dtype": asked.dtype,
            "maps": bool(asked.maps),
            "summary": bool(asked.summary),
            "rows_per_call": self.plan.call,
            "rows_per_shard": self.plan.shard,
        }
        return {
            "method": self.worker.known_by(),
            "source": described,
            "rows": chosen,
            "store": layout,
            "versions": versions(self.worker.method),
        }

    def tasks(self, part: Any, tick: Any, stop: threading.Event) -> Iterator[Task]:
        """The shards that are not finished, while nobody wants to stop."""
        for number, start, source in self._shards(part):
            if stop.is_set():
                return
            record = self._finished(number, source)
            if record is None:
                yield Task(number, start, source)
            else:
                self.add(record, made=False)
                tick(record, self.totals, before=True)

    def _shards(self, part: Any) -> Iterator[tuple[int, int, Source]]:
        if isinstance(self.source, Source):
            for number, start, stop in self.plan.of(part):
                yield number, start, _Lazy(self.source, start, stop)
            return
        for number, batch in enumerate(
            shards_of(self.source, self.worker.columns, self.plan.shard)
        ):
            if part is None or number % part[1] == part[0]:
                yield number, number * self.plan.shard, Held(batch)

    def _finished(self, number: int, source: Source) -> dict[str, Any] | None:
        """The record of a shard that is whole, and of the rows there are now."""
        if not (self.beside / "shards" / f"{number:06d}.json").exists():
            return None
        record = read_record(self.beside, number)
        full = bool(self.asked.verify)
        wrong = what_is_wrong(record, self.out, self.beside, self.job.key, full)
        if record is None or wrong is not None:
            _LOG.warning("shard %d of %s is made again: %s", number, self.out, wrong)
            self.totals.again += 1
            return None
        if self._changed:
            self._check_rows(record, source)
        return record

    def _check_rows(self, record: dict[str, Any], source: Source) -> None:
        """Checks that what was explained is what the source holds.

        Raises:
            InputError: It holds something else now.
        """
        digest = 0
        for start in range(0, len(source), self.plan.call):
            rows = source.read(start, min(start + self.plan.call, len(source)))
            digest = rows_digest(rows, digest)
        start, stop = record["rows"]
        if digest != record["inputs"] or stop - start != len(source):
            raise InputError(
                f"the source was changed: rows {start:,} to {stop - 1:,} are not those that were "
                f"explained into {self.out}; expected the same source, or another folder for this "
                f"one"
            )

    def add(self, record: dict[str, Any], *, made: bool) -> None:
        """Takes up a finished shard; with the first, readers find the store."""
        first = self.totals.spec is None
        self.totals.add(record, made=made)
        if first:
            self._describe(self.plan.rows or record["rows"][1])

    def _describe(self, rows: int) -> None:
        spec, facts = self.totals.spec, dict(self.totals.facts)
        if spec is None:
            return
        names = self.source.features if isinstance(self.source, Source) else None
        facts |= {"features": names} if names else {}
        try:
            with staging(self.beside) as stage:
                store = store_of(self.kind, self.out, self.plan.shard)
                store.describe(spec, rows, {"polyattr": dict(sorted(facts.items()))}, stage)
        except OSError as error:
            raise explained_failure(error, self.out, "what the store holds") from error

    def end(self, part: Any) -> Explained:
        """Says how many rows a stream had, and returns what was found."""
        if self.plan.rows is None:
            if self.totals.spec is None:
                raise InputError("source gave no batches; expected at least one")
            self._describe(self.totals.last)
        names = self.source.features if isinstance(self.source, Source) else None
        rows = self.plan.rows if self.plan.rows is not None else self.totals.last
        return Explained(
            self.out, self.beside, self.kind, self.plan.shard, rows, self.totals, names
        )


class _Lazy(Source):
    """Rows of a source, taken out of it when they are sent: a finished shard is never read."""

    kind = "part"

    def __init__(self, source: Source, start: int, stop: int) -> None:
        self._source, self._start, self._stop = source, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def read(self, start: int, stop: int) -> Any:
        return self._source.read(self._start + start, self._start + stop)

    def __reduce__(self) -> Any:
        """Travels as what another process needs to read its rows."""
        return _itself, (self._source.part(self._start, self._stop),)


def _itself(source: Source) -> Source:
    return source


class _Peeked:
    """An iterable of batches whose first one was looked at."""

    def __init__(self, batches: Iterable[Any], worker: Work) -> None:
        self._rest = iter(batches)
        try:
            self._first = next(self._rest)
        except StopIteration:
            raise InputError("source gave no batches; expected at least one") from None
        self.first = worker.read(self._first).inputs

    def __iter__(self) -> Iterator[Any]:
        yield self._first
        yield from self._rest


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Has Ctrl-C wait for the shards in hand; pressed again, it stops at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def asked_to(number: int, frame: Any) -> None:
        if stop.is_set() and callable(before):
            before(number, frame)
        stop.set()

    signal.signal(signal.SIGINT, asked_to)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
