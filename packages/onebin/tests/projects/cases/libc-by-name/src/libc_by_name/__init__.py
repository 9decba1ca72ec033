import ctypes
import ctypes.util

def main():
    c = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    c.strlen.restype, c.strlen.argtypes = ctypes.c_size_t, [ctypes.c_char_p]
    print(c.strlen(b"hello"), c.abs(-4), c.open(b"/nope", 0), ctypes.get_errno())
    m = ctypes.CDLL(ctypes.util.find_library("m"))
    m.sqrt.restype, m.fmod.restype = ctypes.c_double, ctypes.c_double
    print(m.sqrt(ctypes.c_double(2)), m.fmod(ctypes.c_double(7), ctypes.c_double(4)))
    text = ctypes.create_string_buffer(20)
    c.memcpy(text, b"copied", 6)
    print(text.value, c.memcmp(text, b"copied", 6), c.memset(text, 0, 20) is not None)
    print(ctypes.util.find_library("no-such-library"))
