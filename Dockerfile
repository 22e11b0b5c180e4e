# The service with the shipped model and the sample cookbook; docs/deployment.md says how to serve
# recipes of your own.

FROM python:3.11-slim AS packages
COPY requirements.txt /tmp/
RUN sed '/^# Not for serving/,$d' /tmp/requirements.txt > /tmp/serving.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --requirement /tmp/serving.txt

# Converts the model and builds its bank, which takes TensorFlow; nothing else of it is kept.
FROM python:3.11-slim AS artifacts
COPY requirements.txt /tmp/
RUN pip install --no-cache-dir --requirement /tmp/requirements.txt
WORKDIR /app
COPY data/sample data/sample
COPY ft /var/lib/itadaki/ft
COPY itadaki itadaki
ENV ITADAKI_HOME=/var/lib/itadaki ITADAKI_DATASET=sample ITADAKI_VARIANT=ft
# Layers hold times in whole seconds, and the photos' times tell whether the bank still fits them.
RUN find data/sample -type f -exec touch --date=@1750000000 {} + \
    && python -m itadaki setup

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
