"""How long examples/server.py takes to answer one row: p50 and p99, with one client and with eight.

Starts the server in a process of its own on 127.0.0.1, asks it a bounded number of times for a
bounded time, and ends it. ``--out`` is a file in JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
REQUESTS, SECONDS, STARTING = 150, 40, 120
BUDGETS = (5, 20, 100)


@contextmanager
def served() -> Iterator[int]:
    """Runs the server; yields its port.

    Raises:
        SystemExit: It does not answer.
    """
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    paths = os.pathsep.join([str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "uvicorn", "examples.server:app", "--host", HOST]
    command += ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}) as server:
        try:
            began = time.monotonic()
            while not _answers(port):
                if server.poll() is not None or time.monotonic() - began > STARTING:
                    raise SystemExit("the server does not answer")
                time.sleep(0.2)
            yield port
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def row(seed: int) -> dict[str, float]:
    """Returns features of a row that nobody else asks about."""
    from examples.server import FEATURES

    drawn = np.random.default_rng(seed).standard_normal(len(FEATURES))
    return dict(zip(FEATURES, drawn.tolist(), strict=True))


def asked(port: int, client: int, budget: int, until: float) -> list[tuple[float, float]]:
    """Asks one question after the other; returns milliseconds and stated error of each."""
    connection, found = http.client.HTTPConnection(HOST, port, timeout=30), []
    for number in range(REQUESTS):
        if time.monotonic() > until:
            break
        question = {"features": row(1000 * client + number), "budget_ms": budget}
        began = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/explain", json.dumps(question), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        took = 1000 * (time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"the server answered {answer.status}: {body}")
        found.append((took, body["relative_error"]))
    connection.close()
    return found


def measured(port: int, clients: int, budget: int) -> dict[str, Any]:
    """Returns quantiles of what so many clients at a time wait, and the errors they are told."""
    until, found = time.monotonic() + SECONDS, []

    def run(client: int) -> None:
        found.extend(asked(port, client, budget, until))

    began = time.perf_counter()
    threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, errors = np.array(found).T
    return {
        "clients": clients,
        "budget_ms": budget,
        "requests": len(took),
        "p50_ms": float(np.median(took)),
        "p99_ms": float(np.quantile(took, 0.99)),
        "per_second": len(took) / (time.perf_counter() - began),
        "median_error": float(np.median(errors)),
        "worst_error": float(errors.max()),
    }


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out, found = parser.parse_args().out, []
    print("| clients | budget_ms | requests | p50 | p99 | per second | median error | worst |")
    print("|---|---|---|---|---|---|---|---|")
    with served() as port:
        asked(port, 99, BUDGETS[0], time.monotonic() + 5)
        for clients in (1, 8):
            for budget in BUDGETS:
                one = measured(port, clients, budget)
                found.append(one)
                times = f"{one['p50_ms']:.0f} ms | {one['p99_ms']:.0f} ms | {one['per_second']:.0f}"
                errors = f"{one['median_error']:.2g} | {one['worst_error']:.2g}"
                print(f"| {clients} | {budget} | {one['requests']} | {times} | {errors} |")
    if out:
        out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
