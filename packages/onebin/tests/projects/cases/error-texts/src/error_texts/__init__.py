import errno
import os
import signal
import socket

def main():
    for number in sorted(errno.errorcode):
        print(errno.errorcode[number], os.strerror(number))
    print(os.strerror(0), os.strerror(9999))
    for number in range(1, 32):
        print(number, signal.strsignal(number))
    print(signal.strsignal(signal.SIGRTMIN + 3))
    with socket.create_server(("127.0.0.1", 0)) as server:
        try:
            socket.create_server(server.getsockname())
        except OSError as error:
            print(error.errno, error.strerror.partition(" (")[0])
    try:
        socket.getaddrinfo("name", 80, flags=socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        print(error)
