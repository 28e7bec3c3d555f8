# One image; its argument says which program: serve, worker, migrate, doctor, …
#     make image PYTHON_DIGEST=sha256:…        docs/containers.md says where that comes from
# EXTRAS=ray makes the image of a cluster's nodes, and of the workers that send fits to them.
ARG PYTHON_DIGEST

FROM docker.io/library/python:3.11-slim-bookworm@${PYTHON_DIGEST} AS build
ARG EXTRAS=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /src

# What the product needs, by the hashes of the lock: wheels alone, so nothing is compiled here either.
COPY pyproject.toml requirements.lock ./
COPY infrastructure infrastructure
RUN python -m infrastructure.docker.locked runtime ${EXTRAS} > /runtime.txt \
 && python -m infrastructure.docker.locked build > /build.txt \
 && python -m venv --without-pip /opt/morrow \
 && python -m pip --python /opt/morrow/bin/python install --quiet --no-compile \
        --only-binary :all: --require-hashes --requirement /runtime.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --quiet --no-compile \
        --only-binary :all: --require-hashes --requirement /build.txt

# The product itself; then no package's tests, and every module compiled, with no clock in it.
COPY README.md ./
COPY client client
COPY migrations migrations
COPY services services
COPY shared shared
RUN /opt/build/bin/python -m pip wheel --quiet --no-build-isolation --no-deps --no-index \
        --wheel-dir /wheels . \
 && python -m pip --python /opt/morrow/bin/python install --quiet --no-compile \
        --no-index --no-deps /wheels/morrow-*.whl \
 && python -m infrastructure.docker.trim /opt/morrow \
 && /opt/morrow/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/morrow/lib


FROM docker.io/library/python:3.11-slim-bookworm@${PYTHON_DIGEST}
ARG EXTRAS=""
ARG PYTHON_DIGEST
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="morrow" \
      org.opencontainers.image.description="Multi-tenant demand forecasting" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm" \
      org.opencontainers.image.base.digest="${PYTHON_DIGEST}"

# LightGBM's wheel is linked against the OpenMP runtime, and does not bring it. Nobody who runs this
# image may write compiled modules, so Python's own, which its image comes without, are made here.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1=12.2.0-14+deb12u1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && groupadd --gid 10001 morrow \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin morrow \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/morrow \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(site-packages|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo)/' \
        /usr/local/lib/python3.11

COPY --from=build /opt/morrow /opt/morrow
ENV PATH=/opt/morrow/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/.cache \
    MPLCONFIGDIR=/tmp/.cache/matplotlib \
    MORROW_MODEL_STORAGE_PATH=/var/lib/morrow/models \
    MORROW_SPOOL_PATH=/var/lib/morrow/spool

# Nothing above is an image before all of it weighs at most this, and it has trained.
RUN --mount=type=bind,source=infrastructure,target=/mnt/infrastructure \
    PYTHONPATH=/mnt python -m infrastructure.docker.parts /opt/morrow --root / \
        --most "$([ -z "${EXTRAS}" ] && echo 900 || echo 1200)"

USER 10001:10001
WORKDIR /var/lib/morrow
RUN --mount=type=bind,source=infrastructure,target=/mnt/infrastructure \
    PYTHONPATH=/mnt python -m infrastructure.docker.smoke_fit ${EXTRAS} \
 && rm -rf /tmp/.cache

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["morrow"]
CMD ["serve", "--host", "0.0.0.0"]
