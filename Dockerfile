# One image recipe for every process: build with
#   docker build --build-arg FOLDER=services/logs --build-arg MODULE=logs_service -t aiops-logs .
# FOLDER is the distribution's folder, MODULE the package that `python -m` starts.
FROM python:3.11-slim-bookworm AS build
ARG FOLDER
WORKDIR /build
RUN python -m venv /opt/aiops
COPY requirements.lock ./
COPY dev/lock_subset.py dev/lock_subset.py
COPY proto/pyproject.toml proto/pyproject.toml
COPY chassis/pyproject.toml chassis/pyproject.toml
COPY ${FOLDER}/pyproject.toml ${FOLDER}/pyproject.toml
RUN python dev/lock_subset.py "${FOLDER}" > runtime.lock \
 && /opt/aiops/bin/pip install --no-cache-dir --require-hashes -r runtime.lock
# Our own distributions are pure Python: built by the pinned backend, kept out of the image that runs.
RUN python -m venv /opt/backend \
 && python dev/lock_subset.py hatchling > backend.lock \
 && /opt/backend/bin/pip install --no-cache-dir --require-hashes -r backend.lock
COPY proto proto
COPY chassis chassis
COPY ${FOLDER} ${FOLDER}
RUN for folder in proto chassis "${FOLDER}"; do \
      /opt/backend/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir wheels "./$folder"; \
    done \
 && /opt/aiops/bin/pip install --no-cache-dir --no-deps --no-index wheels/*.whl

FROM python:3.11-slim-bookworm
ARG MODULE
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="aiops ${MODULE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.description="AI Ops Assistant: ${MODULE}"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin aiops
COPY --from=build /opt/aiops /opt/aiops
ENV PATH=/opt/aiops/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AIOPS_MODULE=${MODULE}
USER 10001
STOPSIGNAL SIGTERM
# exec: the process itself gets SIGTERM and drains.
ENTRYPOINT ["/bin/sh", "-c", "exec python -m \"$AIOPS_MODULE\" \"$@\"", "aiops"]
