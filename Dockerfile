# Our own processes: `migrate`, `worker`, `api` and `archiver` are one image with different commands.
FROM python:3.13.9-slim-bookworm AS build
COPY docker/requirements.lock /build/requirements.lock
RUN python -m venv /opt/medcab \
 && /opt/medcab/bin/pip install --no-cache-dir --require-hashes -r /build/requirements.lock

# What backups are taken with, of the version that the server has, and the libraries of it.
FROM postgres:18.4-bookworm AS postgres
RUN mkdir -p /out/bin /out/lib \
 && cp /usr/lib/postgresql/18/bin/pg_basebackup /usr/lib/postgresql/18/bin/pg_receivewal /out/bin \
 && ldd /out/bin/* | awk '$2 == "=>" { print $3 }' | sort -u | xargs cp -L -t /out/lib

FROM python:3.13.9-slim-bookworm
COPY --from=postgres /out /opt/postgresql
# Only what is not here already: nothing else of the image is to use them.
RUN for each in /opt/postgresql/lib/*; do \
      if ls /lib/*-linux-gnu/"${each##*/}" > /dev/null 2>&1; then rm "$each"; fi; \
    done \
 && echo /opt/postgresql/lib > /etc/ld.so.conf.d/zz-postgresql.conf && ldconfig \
 && /opt/postgresql/bin/pg_basebackup --version && /opt/postgresql/bin/pg_receivewal --version
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/medcab medcab \
 && install -d -o medcab -g medcab -m 700 /var/lib/medcab
COPY --from=build /opt/medcab /opt/medcab
COPY . /app
ENV PATH=/opt/medcab/bin:$PATH:/opt/postgresql/bin \
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
