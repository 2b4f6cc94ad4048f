# For linux/amd64 and linux/arm64. Stages: `lab` (JupyterLab, embedded cluster), `site` (the built site, served), `lab-kind` (lab on kind, by the Docker socket).

FROM python:3.13-slim AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ARG PIP_INDEX_URL
WORKDIR /course
COPY tools/install.py tools/metadata.py tools/
COPY requirements/ requirements/
COPY pyproject.toml README.md LICENSE ./
COPY grader/__init__.py grader/
# Stand-ins, so that the package can be installed before its content comes.
RUN mkdir course exercises

# What a learner needs, from the hashed lock; before the course itself, so that a changed lesson does not install it again.
# pip, uv, source maps and the languages that nobody chooses here are left out.
FROM python AS learner
RUN python3 tools/install.py learner \
 && rm -rf .venv/bin/uv .venv/bin/uvx .venv/lib/python3*/site-packages/pip \
 && find .venv -name '*.map' -delete \
 && find .venv/lib/python3*/site-packages/babel/locale-data -name '*.dat' ! -name 'en*' ! -name 'ja*' ! -name root.dat -delete

FROM learner AS lab
# What lessons and cards tell a learner to type.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends bash-completion bind9-dnsutils curl less procps >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY tools/container-shell.sh /etc/profile.d/course.sh
RUN echo '. /etc/profile.d/course.sh' >>/etc/bash.bashrc
COPY grader/ grader/
COPY course/ course/
COPY exercises/ exercises/
RUN .venv/bin/python -m compileall -q -j 0 -x /site-packages/kubernetes/ grader .venv/lib \
 && useradd --create-home --uid 1000 learner \
 && mkdir -p work state && chown learner work state
USER learner
ENV PATH=/course/.venv/bin:$PATH SHELL=/bin/bash GRADER_HOME=/course/state GRADER_WORK=/course/work
EXPOSE 8888
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s \
  CMD curl -fsS -o /dev/null http://127.0.0.1:8888/api && grader cluster status >/dev/null
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
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/', timeout=4)"]
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
