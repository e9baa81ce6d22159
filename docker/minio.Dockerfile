# MinIO from its source: upstream offers neither programs nor images of this version.
FROM golang:1.26.8-alpine AS build
ENV CGO_ENABLED=0 GOFLAGS=-trimpath GOBIN=/out
RUN go install -ldflags "-s -w" github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

FROM alpine:3.22.2
RUN apk add --no-cache ca-certificates \
 && adduser -D -H -u 10002 minio \
 && mkdir /data && chown minio:minio /data
COPY --from=build /out/minio /usr/local/bin/minio
USER minio
VOLUME /data
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=3s --retries=6 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9000/minio/health/cluster"]
ENTRYPOINT ["minio"]
CMD ["server", "--quiet", "--address", ":9000", "/data"]
