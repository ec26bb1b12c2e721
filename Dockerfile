# One image for every process: `docker run IMAGE services.stock.main api`, `relay forward`, …
# and `docker run --entrypoint ./streamed IMAGE status` for the operator's commands.
#
# `app` is what compose.yaml runs; `aws`, the last and so the default, adds the certificates that
# DocumentDB is reached with. Both builders make it, with BuildKit and without.
#
# checkov:skip=CKV_DOCKER_2: each process has a check of its own, in compose.yaml and infra/aws/tasks.py
# checkov:skip=CKV_DOCKER_4: COPY cannot fetch from a URL
# checkov:skip=CKV_DOCKER_7: BASE has a tag
#
# `make lock` adds the digest of the day to BASE, and the SHA-256 of the certificates below.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS dependencies
# pip stays behind in this stage. Wheels only: nothing is compiled, so no compiler is needed. The lock
# is all of it: pip resolves nothing, and so no release of tomorrow can change or break this.
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock .
RUN python -m pip --python /opt/venv/bin/python install --quiet --no-cache-dir --no-compile \
      --disable-pip-version-check --only-binary :all: --no-deps --require-hashes --requirement requirements.lock \
    # Bytecode for a root file system that cannot be written to: without it every start compiles
    # everything again, for seconds. Unchecked, because nothing in an image changes.
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

FROM ${BASE} AS code
WORKDIR /app
COPY console console
COPY contracts contracts
COPY infra infra
COPY local local
COPY operations operations
COPY relay relay
COPY runtime runtime
COPY services services
COPY streamed streamed
# A clone keeps its owner's umask, and the image runs as another user.
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

FROM ${BASE} AS app
# Debian's security updates since BASE was made. The builder keeps a layer until what made it changes,
# so another month is another layer; infra/aws/grounds.py names it.
ARG PATCHED
RUN : "${PATCHED}" && apt-get update --quiet --quiet \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade --quiet --quiet --yes \
    && rm -rf /var/lib/apt/lists/*
ARG UID=10001
RUN groupadd --gid ${UID} app \
    && useradd --uid ${UID} --gid app --no-log-init --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin app
# Where the operator's commands leave their audit file, and the secret of a webhook is: a volume that
# is mounted here is the app's.
RUN install --directory --owner ${UID} --group ${UID} /var/lib/streamed /var/lib/webhook
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=code /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:${PATH} PYTHONUNBUFFERED=1
# By number, so that a cluster can see without looking inside that it is not root.
USER ${UID}:${UID}
# No shell in between: the process gets SIGTERM itself, and its exit code is the container's.
ENTRYPOINT ["python", "-m"]

FROM app AS aws
ARG UID=10001
# Bound to change: AWS adds certificates, and an old bundle stops working. With a pin another one ends
# the build, until `make lock` was run again. A file fetched by ADD is readable by its owner alone.
ARG BUNDLE_SHA256=
ADD --chown=${UID}:${UID} https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem \
    /etc/ssl/rds/global-bundle.pem
RUN test -z "${BUNDLE_SHA256}" \
    || echo "${BUNDLE_SHA256}  /etc/ssl/rds/global-bundle.pem" | sha256sum --check --quiet
