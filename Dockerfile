# The service with the shipped model and the sample cookbook; docs/deployment.md says how to serve
# recipes of your own.

FROM python:3.11-slim AS packages
COPY pyproject.toml /tmp/
RUN python -c "import tomllib; print(*tomllib.load(open('/tmp/pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > /tmp/serving.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --requirement /tmp/serving.txt

# Builds the bank of the sample cookbook.
FROM packages AS artifacts
WORKDIR /app
COPY data/sample data/sample
COPY ft /var/lib/itadaki/ft
COPY itadaki itadaki
ENV ITADAKI_HOME=/var/lib/itadaki ITADAKI_DATASET=sample ITADAKI_VARIANT=ft
# Layers hold times in whole seconds, and the photos' times tell whether the bank still fits them.
RUN find data/sample -type f -exec touch --date=@1750000000 {} + \
    && /venv/bin/python -m itadaki setup

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home itadaki
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=artifacts /app/data/sample data/sample
COPY --from=artifacts --chown=itadaki /var/lib/itadaki /var/lib/itadaki
COPY itadaki itadaki
COPY api api
RUN python -m compileall -q itadaki api
ENV PATH=/venv/bin:$PATH \
    ITADAKI_HOME=/var/lib/itadaki \
    ITADAKI_DATASET=sample \
    ITADAKI_VARIANT=ft \
    ITADAKI_LOG_FORMAT=json
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "-m", "itadaki", "serve", "--host", "0.0.0.0"]
