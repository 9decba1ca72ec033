# The two stages of the Go original, in Python: build with everything, ship only what runs.
#
#   docker build -t devops-info-service .
#   docker build --build-arg RUNTIME_BASE=gcr.io/distroless/static:nonroot .
#   docker build --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt .    behind a TLS proxy
#   buildah build --ulimit nofile=4096:4096 .    its default of 1024 is too low for the compiler
#
# Steps go from what changes with Debian to what changes with every commit.
ARG BUILDER_BASE=debian:trixie-slim
ARG RUNTIME_BASE=scratch

FROM ${BUILDER_BASE} AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates make python3 python3-venv xz-utils \
    && rm -rf /var/lib/apt/lists/*

# The sources of CPython and zlib, verified by apt against Debian's keys and by onebin against its
# pins; their authors' tarballs alone, as the rest of Debian's packages changes with every update.
# onebin finds the second beside the first, by its checksum.
WORKDIR /usr/src
RUN sed 's/^deb /deb-src /' /etc/apt/sources.list > /etc/apt/sources.list.d/src.list 2>/dev/null || true; \
    sed -i 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/*.sources 2>/dev/null || true; \
    apt-get update \
    && apt-get source --print-uris python3.13/trixie zlib/trixie > uris \
    && sed -n "s/^'\(.*\)' \(.*\.orig\.tar\.[gx]z\) [0-9]* /\1 \2 /p" uris | xargs -n 3 \
        /usr/lib/apt/apt-helper download-file \
    && rm -rf /var/lib/apt/lists/*
ENV ONEBIN_PYTHON_SOURCE=/usr/src/python3.13_3.13.5.orig.tar.xz#sha256=93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640

# The compiler is a Python package too: pinned, the same everywhere, hence the same bytes.
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1
COPY requirements/onebin.txt requirements/
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
    && python3 -m venv /opt/onebin \
    && /opt/onebin/bin/pip install --require-hashes -r requirements/onebin.txt
ENV PATH=/opt/onebin/bin:$PATH ONEBIN_CACHE=/var/cache/onebin

COPY packages/onebin/LICENSE packages/onebin/README.md packages/onebin/pyproject.toml packages/onebin/
COPY packages/onebin/src packages/onebin/src
RUN pip install --no-deps --no-build-isolation ./packages/onebin

# All that does not depend on the service's own code: CPython, the C extensions.
COPY requirements/service.txt requirements/build.txt requirements/
COPY packages/service/pyproject.toml packages/service/
COPY packages/service/training/service.profile packages/service/training/
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
    && onebin prepare packages/service

# A change of the code starts here.
COPY packages/service/src packages/service/src
RUN onebin image packages/service --to dir:/out

FROM ${RUNTIME_BASE} AS runtime
COPY --from=builder /out/rootfs/ /
# As in the Dockerfile that onebin writes beside rootfs: tests/e2e/test_dockerfile.py compares them.
LABEL org.opencontainers.image.description="DevOps course info service"
LABEL org.opencontainers.image.licenses="MIT"
LABEL org.opencontainers.image.title="devops-info-service"
LABEL org.opencontainers.image.version="1.0.0"
EXPOSE 8080/tcp
USER 65532:65532
WORKDIR /
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/app/devops-info-service", "check"]
ENTRYPOINT ["/app/devops-info-service"]
