"""The shape of two bodies, and where they differ."""


def shape(value: object) -> object:
    """Return *value* with each leaf replaced by its kind: two bodies of one shape are alike.

    Of a list only the first entry counts: one may publish more routes than another.
    """
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def differences(one: object, other: object, at: str = "") -> list[str]:
    """Name the places in which two shapes differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key), other.get(key), f"{at}.{key}" if at else key)
        ]
    if isinstance(one, list) and isinstance(other, list) and one and other:
        return differences(one[0], other[0], f"{at}[]")
    return [] if one == other else [at or "the whole body"]
