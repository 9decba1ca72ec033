# A stand-in for python:3.13-slim where no registry can be reached: Debian 13 has the same minor
# release of CPython, so it is slim Debian, that interpreter and pip, as in the real one.
FROM debian:trixie-slim
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends \
        ca-certificates netbase python-is-python3 python3 python3-pip tzdata </dev/null \
 # As in the real image: pip owns site-packages, and no byte code is shipped.
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED \
 && find /usr/lib/python3* -name __pycache__ -prune -exec rm -r {} +
CMD ["python3"]
