# Short names for the project's work. `just` comes with the development environment: `.venv/bin/just`.

set shell := ["bash", "-euo", "pipefail", "-c"]

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

# What can be done
_default:
    @just --list

# Create or refresh the environment, as uv.lock says
setup:
    uv sync --locked --all-extras --inexact

# Lint, format, types, floors and the rules of the house
check:
    ruff check
    ruff format --check
    mypy
    lint-imports --no-logo
    pytest -q tests/architecture

# Put the code into its format
format:
    ruff check --fix
    ruff format

# The tests that need no server, with short campaigns
test *arguments:
    pytest -q -n 3 --dist worksteal {{ arguments }}

# All that CI runs, with the full counts
prove *arguments: check
    PROTOPACT_COUNT=full pytest -q -n 3 --dist worksteal {{ arguments }}
    pytest -q -n 2 tests/docs
    PROTOPACT_COUNT=full PROTOPACT_REQUIRE=faults pytest -q tests/faults
    pytest -q tests/contract/test_kafka_*.py
    PROTOPACT_COUNT=full PROTOPACT_REQUIRE=live pytest -q tests/live
    PROTOPACT_COUNT=full PROTOPACT_REQUIRE=interop pytest -q tests/interop

# What README and docs show, done
docs *arguments:
    pytest -q -n 2 tests/docs {{ arguments }}

# Hostile schemas and clients, killed servers, lost power
faults *arguments:
    PROTOPACT_REQUIRE=faults pytest -q tests/faults {{ arguments }}

# Tests against Apache Kafka and PostgreSQL, started and stopped here; the Kafka contract whole, on both brokers
live *arguments:
    pytest -q tests/contract/test_kafka_*.py {{ arguments }}
    PROTOPACT_REQUIRE=live pytest -q tests/live {{ arguments }}

# Tests against other projects' clients, each in an environment of its own
interop *arguments:
    PROTOPACT_REQUIRE=interop pytest -q tests/interop {{ arguments }}

# Fuzz each target for some seconds, from the recorded corpus; what is found ends it (needs `uv sync --group fuzz`)
fuzz seconds="60":
    for target in framing json decoder; do nice python tests/fuzz/run.py $target {{ seconds }}; done

# Measure; figures are ratios within one run
bench *arguments:
    protopact bench {{ arguments }}

# Measure beside Confluent's client, in its environment
bench-confluent *arguments:
    uv run -q --project tests/interop/python --with-editable '.[compiler,registry,server,pydantic,arrow,validation,cli]' \
        python bench/confluent.py {{ arguments }}

# Measure the registry's throughput and latency (needs wrk)
bench-registry *arguments:
    python bench/registry.py {{ arguments }}

# Measure the embedded broker beside Apache Kafka and librdkafka's mock cluster (needs Java; the first time, Maven)
bench-broker *arguments:
    python bench/broker.py {{ arguments }}

# Write the pinned public interface and the pages made from the code anew; read the difference
golden:
    python tests/architecture/regenerate.py
    git --no-pager diff --stat -- tests/golden/public_api.txt docs
