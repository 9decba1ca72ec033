"""The text of ``/metrics``, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from .http_client import get

Samples = dict[str, float]
"""Value by name and labels, as ``name{label=value,…}`` in the order written, without quotes."""


def scrape(port: int, host: str = "127.0.0.1") -> Samples:
    """Return each sample of one scrape."""
    found = {}
    for family in text_string_to_metric_families(get(port, "/metrics", host=host).body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
