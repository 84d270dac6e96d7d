# jointalign with its core:
#   docker build -t jointalign .
#   docker run --rm --read-only --tmpfs /tmp --user "$(id -u):$(id -g)" -v "$PWD:/data" jointalign \
#       run --source en.txt --target es.txt --lexicon en-es.txt --out runs/en-es
# With extras: docker build --build-arg EXTRAS='[tokenizers,plot]' -t jointalign .
FROM python:3.12-slim AS build
ARG EXTRAS=""
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
RUN python -m venv /opt/jointalign \
    && /opt/jointalign/bin/pip install --no-cache-dir "/source${EXTRAS}"

FROM python:3.12-slim
COPY --from=build /opt/jointalign /opt/jointalign
# Loops are compiled for the processor at hand when they are first used, and kept where there is room:
# in the temporary folder, or in a volume that is mounted there.
ENV PATH=/opt/jointalign/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["jointalign"]
CMD ["--help"]
