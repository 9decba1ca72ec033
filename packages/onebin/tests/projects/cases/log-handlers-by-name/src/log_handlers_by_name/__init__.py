import logging
import logging.config

CONFIG = {
    "version": 1,
    "handlers": {
        "memory": {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "out"},
        "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "short"},
    },
    "formatters": {"short": {"format": "%(levelname)s %(module)s:%(lineno)d %(message)s"}},
    "root": {"handlers": ["memory"]},
}

def main():
    logging.config.dictConfig(CONFIG)
    logging.getLogger("x").warning("first")
    logging.shutdown()
