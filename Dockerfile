# Stages: `lab` (JupyterLab, embedded cluster), `site` (the built site, served), `lab-kind` (lab on kind, by the Docker socket).

FROM python:3.13-slim AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ARG PIP_INDEX_URL
WORKDIR /course
COPY tools/install.py tools/
COPY requirements/ requirements/
COPY pyproject.toml README.md ./
COPY grader/__init__.py grader/
# Stand-ins, so that the package can be installed before its content comes.
RUN mkdir course exercises

# What a learner needs, from the hashed lock; before the course itself, so that a changed lesson does not install it again.
FROM python AS learner
RUN python3 tools/install.py learner

FROM learner AS lab
COPY grader/ grader/
COPY course/ course/
COPY exercises/ exercises/
RUN .venv/bin/python -m compileall -q -j 0 grader .venv/lib \
 && useradd --create-home --uid 1000 learner \
 && mkdir -p work state && chown learner work state
USER learner
ENV PATH=/course/.venv/bin:$PATH GRADER_HOME=/course/state GRADER_WORK=/course/work
EXPOSE 8888
CMD ["grader", "lab", "--ServerApp.ip=0.0.0.0", "--ServerApp.port=8888"]

FROM python AS builder
RUN python3 tools/install.py dev
ARG NPM_CONFIG_REGISTRY
COPY . .
RUN site/build.sh .venv/bin/python

FROM python:3.13-slim AS site
COPY --from=builder /course/build/site /site
USER nobody
EXPOSE 8000
CMD ["python3", "-m", "http.server", "8000", "--bind", "0.0.0.0", "--directory", "/site"]

# kind, built from its module, which Go's checksum database vouches for.
FROM python:3.13-slim AS kind
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends golang-go ca-certificates >/dev/null
ARG GOPROXY
RUN GOBIN=/out GOTOOLCHAIN=auto CGO_ENABLED=0 go install sigs.k8s.io/kind@v0.33.0

# Root, since the group of the Docker socket is not known beforehand.
FROM lab AS lab-kind
USER root
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-cli >/dev/null && rm -rf /var/lib/apt/lists/*
COPY --from=kind /out/kind /usr/local/bin/kind
ENV GRADER_KIND_REACH=network
CMD ["sh", "-c", "grader cluster up --kind && exec grader lab --allow-root --ServerApp.ip=0.0.0.0 --ServerApp.port=8888"]
