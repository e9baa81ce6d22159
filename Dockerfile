# Our own processes: `migrate`, `worker` and `api` are one image with different commands.
FROM python:3.13.9-slim-bookworm AS build
COPY docker/requirements.lock /build/requirements.lock
RUN python -m venv /opt/medcab \
 && /opt/medcab/bin/pip install --no-cache-dir --require-hashes -r /build/requirements.lock

FROM python:3.13.9-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/medcab medcab \
 && install -d -o medcab -g medcab -m 700 /var/lib/medcab
COPY --from=build /opt/medcab /opt/medcab
COPY . /app
ENV PATH=/opt/medcab/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    MEDCAB_HOME=/var/lib/medcab
WORKDIR /app
# The sandbox imports the module of a workflow anew for every run: it must not be compiled each time.
RUN python -m compileall -q /app
USER medcab
VOLUME /var/lib/medcab
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["python", "-m", "ops.cli", "healthy", "api"]
ENTRYPOINT ["python", "-m", "ops.cli"]
CMD ["api", "--host", "0.0.0.0"]
