# The rooms of a repository over HTTP: git chat serve. Built by nobody yet; tests/house/test_container.py holds what it
# names to what there is. See docs/deploy.md.
FROM python:3.13-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/*

COPY . /src
RUN pip install --no-cache-dir "/src[serve]" && rm -rf /src

# Whoever owns the repository: git refuses one of somebody else. Compose gives the user's own ids.
RUN useradd --create-home --uid 1000 chat
USER chat

VOLUME /repo
WORKDIR /repo
EXPOSE 8080

# Who asks through a published port is of another network namespace, so that everybody needs a token:
#   docker compose run --rm chat token add NAME
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=4)"]

ENTRYPOINT ["git-chat"]
CMD ["serve", "--host", "0.0.0.0", "--plain", "--token-always"]
