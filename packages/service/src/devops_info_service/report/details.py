"""The rest of the facts, for whoever looks further."""

from devops_info_service.facts.container.filesystem import Filesystem, MountedVolume
from devops_info_service.facts.fact import Known, Unknown, value_of
from devops_info_service.facts.kubernetes.claims import Claims
from devops_info_service.facts.linux.addresses import Address, Route
from devops_info_service.facts.linux.disks import Traffic
from devops_info_service.facts.linux.network import Interface, Network
from devops_info_service.facts.linux.pressure import Pressure
from devops_info_service.facts.linux.resources import Resources, Rlimit
from devops_info_service.facts.linux.setid_files import SetIdFiles
from devops_info_service.standards.security import IdMap, Namespaces, Security

from .formatting import count, listed, numbers, row, seconds, size, span, yes
from .layout import Row, Section


def confinement(security: Security) -> Section:
    """What holds the process, and what it could reach."""
    process, account = security.process, security.service_account
    capabilities = process.capabilities
    return Section(
        "Confinement",
        (
            row("groups", process.groups, lambda ids: listed(map(str, ids))),
            row("no new privileges", process.no_new_privileges, yes),
            row("seccomp", process.seccomp),
            row("seccomp filters", process.seccomp_filters),
            row("label", process.label),
            row("security modules", process.security_modules, listed),
            row("capabilities, bounding", capabilities.bounding, _all),
            row("capabilities, effective", capabilities.effective, _all),
            row("capabilities, permitted", capabilities.permitted, _all),
            row("capabilities, inheritable", capabilities.inheritable, _all),
            row("capabilities, ambient", capabilities.ambient, _all),
            _namespaces(security.namespaces),
            row("user ids mapped", security.namespaces.uid_map, _id_map),
            row("group ids mapped", security.namespaces.gid_map, _id_map),
            row("root file system", security.read_only_root, _read_only),
            row("masked paths", security.masked_paths, listed),
            row("writable", security.writable, listed),
            row("devices", security.devices, lambda found: listed(each.path for each in found)),
            row("engine sockets", security.engine_sockets, listed),
            row("set-uid files", security.set_id_files, _set_id),
            row("service account token", account.token, _claims),
        ),
    )


def _all(names: tuple[str, ...]) -> str:
    # Never cut: the one that matters may be the last.
    return ", ".join(names) or "none"


def _read_only(read_only: bool) -> str:  # noqa: FBT001  a fact's value
    return "read-only" if read_only else "writable"


def _namespaces(namespaces: Namespaces) -> Row:
    kinds: dict[str, list[str]] = {"own": [], "the machine's": [], "unknown": []}
    for kind, fact in namespaces.shared.items():
        if isinstance(fact, Unknown):
            kinds["unknown"].append(kind)
        else:
            kinds["the machine's" if fact.value else "own"].append(kind)
    said = (f"{word}: {', '.join(found)}" for word, found in kinds.items() if found)
    return Row("namespaces", "; ".join(said))


def _id_map(ranges: tuple[IdMap, ...]) -> str:
    return listed(
        f"{_from(each.inside, each.length)} here, {_from(each.outside, each.length)} outside"
        for each in ranges
    )


def _from(first: int, length: int) -> str:
    return str(first) if length == 1 else f"{first}-{first + length - 1}"


def _set_id(files: SetIdFiles) -> str:
    seen = "all" if files.complete else "the first"
    return f"{listed(files.found)}; {seen} {files.looked_at} files were looked at"


def _claims(claims: Claims) -> str:
    left = claims.expires_in_seconds
    ends = "never expires"
    if left is not None:
        ends = f"expires in {span(left)}" if left >= 0 else f"expired {span(-left)} ago"
    return f"{claims.subject}, for {listed(claims.audiences)}; {ends}"


def resources_in_full(resources: Resources) -> Section:
    """Groups, weights, pressure, the process's own limits."""
    cpu, memory, group = resources.cpu, resources.memory, resources.cgroup
    pressures = (("", resources.pressure), ("machine's ", resources.machine_pressure))
    return Section(
        "Resources",
        (
            row("cgroup version", group.version),
            row("cgroup", group.path),
            row("CPU weight", cpu.weight),
            row("CPU shares", cpu.shares),
            row("CPU burst", cpu.burst_microseconds, seconds),
            row("CPUs of the group", cpu.cpuset, numbers),
            row("CPUs of the process", cpu.affinity, numbers),
            row("CPUs of the machine", cpu.online, numbers),
            row("CPU time used", cpu.usage_microseconds, seconds),
            row("memory with cache", memory.current, size),
            row("memory, throttled from", memory.high, size),
            row("memory protected", memory.protected, size),
            row("swap", memory.swap_limit, size),
            row("swap in use", memory.swap_current, size),
            row("memory events", memory.events, _counters),
            row("OOM kills the group", memory.oom_group, yes),
            row("OOM score adjustment", memory.oom_score_adjustment),
            row("PIDs, highest", resources.processes.peak),
            row("PIDs refused", resources.processes.refused),
            row("disk limits", resources.disks.limits, _traffic),
            row("disk use", resources.disks.usage, _traffic),
            *(
                row(f"{whose}{what} pressure", fact, _pressure)
                for whose, found in pressures
                for what, fact in (
                    ("CPU", found.cpu),
                    ("memory", found.memory),
                    ("disk", found.io),
                )
            ),
            *_rlimits(resources),
        ),
    )


def _counters(events: dict[str, int]) -> str:
    return listed(f"{name} {times}" for name, times in events.items())


def _traffic(devices: tuple[Traffic, ...]) -> str:
    return listed(
        f"{each.device} {_bytes(each.read_bytes)} read, {_bytes(each.write_bytes)} written"
        for each in devices
    )


def _bytes(number: int | None) -> str:
    return "?" if number is None else size(number)


def _pressure(found: Pressure) -> str:
    return f"{found.some.avg10:g} % in 10 s, {found.some.avg300:g} % in 300 s"


def _rlimits(resources: Resources) -> tuple[Row, ...]:
    if isinstance(resources.rlimits, Unknown):
        return (row("process limits", resources.rlimits),)
    return tuple(
        Row(f"limit of {each.name.replace('_', ' ')}", _rlimit(each))
        for each in resources.rlimits.value
    )


def _rlimit(limit: Rlimit) -> str:
    soft, hard = ("unlimited" if each is None else str(each) for each in (limit.soft, limit.hard))
    both = soft if soft == hard else f"{soft}, may be raised to {hard}"
    return f"{both} {limit.unit}" if limit.unit and soft != "unlimited" else both


def network(found: Network) -> Section:
    """Interfaces, addresses, routes, names, variables."""
    shown = [each for each in found.environment if not each.redacted]
    hidden = [each.name for each in found.environment if each.redacted]
    unlisted = dict(found.unlisted)
    if isinstance(found.resolver, Known) and found.resolver.value.unlisted:
        unlisted["DNS settings"] = found.resolver.value.unlisted
    return Section(
        "Network and environment",
        (
            row("interfaces", found.interfaces, lambda all_: listed(map(_interface, all_))),
            row("addresses", found.addresses, lambda all_: listed(map(_address, all_))),
            row("routes", found.routes, lambda all_: listed(map(_route, all_))),
            *_resolver(found),
            row("ports for everybody", found.unprivileged_port_start, lambda port: f"from {port}"),
            Row(
                "services",
                listed(f"{each.name} {each.host}:{each.port}" for each in found.services),
            ),
            *(Row(f"${each.name}", each.value or "") for each in shown),
            Row("variables not shown", ", ".join(hidden) or "none"),
            *(Row(f"{what} not listed", f"{number} more") for what, number in unlisted.items()),
        ),
    )


def _interface(interface: Interface) -> str:
    mtu, state = value_of(interface.mtu, "?"), value_of(interface.state, "?")
    return f"{interface.name} {state} (MTU {mtu})"


def _address(address: Address) -> str:
    network_ = "" if address.prefix is None else f"/{address.prefix}"
    return f"{address.address}{network_} {address.interface or ''}".strip()


def _route(route: Route) -> str:
    via = f" via {route.gateway}" if route.gateway else ""
    return f"{route.destination}{via} on {route.interface}"


def _resolver(found: Network) -> tuple[Row, ...]:
    if isinstance(found.resolver, Unknown):
        return (row("DNS", found.resolver),)
    resolver = found.resolver.value
    return (
        row("DNS servers", found.resolver, lambda _: listed(resolver.servers)),
        Row("DNS search", listed(resolver.search)),
        Row("DNS ndots", str(resolver.ndots)),
        *(
            Row(f"DNS, {cost.name}", f"{count(cost.tried, 'name')} tried, {cost.queries} queries")
            for cost in resolver.costs
        ),
    )


def filesystem(found: Filesystem) -> Section:
    """Mounts, and the room in them."""
    if isinstance(found.mounts, Unknown):
        return Section("File systems", (row("mounts", found.mounts),))
    return Section(
        "File systems",
        (
            *(Row(each.point, _mount(each)) for each in found.mounts.value),
            Row("of the kernel", str(found.kernel_mounts)),
            *([Row("not listed", str(found.unlisted))] if found.unlisted else []),
        ),
    )


def _mount(mount: MountedVolume) -> str:
    words = [mount.origin, mount.plugin, mount.kind, "read-only" if mount.read_only else "writable"]
    said = ", ".join(dict.fromkeys(word for word in words if word))
    if mount.limit is not None:
        said += f", at most {size(mount.limit)}"
    if isinstance(mount.space, Known):
        said += f", {size(mount.space.value.free)} of {size(mount.space.value.size)} free"
    return said
