"""Values that pods may request, by the Pod Security Standards v1.37."""

from collections.abc import Mapping
from typing import Final

SYSCTLS: Final[Mapping[tuple[int, int], tuple[str, ...]]] = {
    (1, 0): (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_syncookies",
    ),
    (1, 27): ("net.ipv4.ip_local_reserved_ports",),
    (1, 29): (
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
    ),
    (1, 32): ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    (1, 37): ("net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_slow_start_after_idle"),
}
"""Version of the standards -> the sysctls it adds to those that a pod may set."""
VOLUMES: Final = frozenset({
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
})  # fmt: skip
"""Kinds of volumes that a restricted pod may have."""
OTHER_VOLUMES: Final = frozenset(
    "awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker"  # noqa: SIM905
    " gcePersistentDisk gitRepo glusterfs hostPath iscsi nfs photonPersistentDisk portworxVolume"
    " quobyte rbd scaleIO storageos vsphereVolume".split()
)
"""All other kinds that the API has or had."""
