import importlib.util

try:
    import no_such_thing_a
except ImportError:
    try:
        from no_such_thing_b import x
    except ModuleNotFoundError:
        x = "default"
else:
    from no_such_thing_a import more

if importlib.util.find_spec("no_such_thing_c"):
    import no_such_thing_c

def main():
    try:
        from no_such_thing_d import y
    except ImportError as exc:
        print(exc.name, x)
    try:
        import absent_optional.needs_it
    except ImportError as exc:
        print(exc)
