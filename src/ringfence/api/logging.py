"""Structured logs: JSON lines for services, readable lines on a terminal, and never a secret in either.

Ringfence's own lines and those of the libraries (by the standard ``logging``) go the same way. What is bound in
`structlog.contextvars`, as the request id, is in every line.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ringfence.api.redaction import clean

_QUIET = {"uvicorn.access": logging.CRITICAL, "uvicorn.error": logging.WARNING, "alembic": logging.WARNING}
"""The frame writes its own line of every request, and the service its own words at start and stop."""

_OURS = frozenset({"level", "timestamp", "method", "route", "client", "status", "ms"})
"""Fields whose values are made here and never given: to look into them at every request would cost for nothing."""

_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode


def configure(stream: TextIO | None = None, level: str = "info", *, as_json: bool | None = None) -> None:
    """Set logs up for this process: to a stream (standard error by default), JSON unless it is a terminal."""
    stream = stream or sys.stderr
    lines = not stream.isatty() if as_json is None else as_json
    least = logging.getLevelNamesMapping()[level.upper()]
    renderer: Processor = structlog.processors.JSONRenderer(_json) if lines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*_shared(), redact, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(stream, least, renderer)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take out of a line whatever is secret by its field's name or by its form."""
    for name, value in event.items():
        if name not in _OURS:
            event[name] = clean(value, name)
    return event


def _json(event: EventDict, **_options: object) -> str:
    return _encode(event)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _route_standard_logging(stream: TextIO, least: int, renderer: Processor) -> None:
    handler = logging.StreamHandler(stream)
    finish: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=finish,
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), structlog.stdlib.add_logger_name, *_shared()],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(least, logging.INFO), force=True)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, least))


def logger() -> Any:  # structlog's own type is a proxy
    """Ringfence's logger: ``logger().info("agent.enforced", revision=7)``."""
    return structlog.get_logger()
