# The program is built as everywhere, with `make build`, and put alone on a small Debian.
FROM rust:1.95-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /portico
COPY . .
RUN make build

FROM debian:trixie-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data portico \
    && install -d -o portico -g portico -m 700 /data
COPY --from=build /portico/target/release/portico /usr/local/bin/portico
COPY --from=build /portico/LICENSE-* /portico/public/licenses.txt /usr/share/doc/portico/
USER portico
# Relative paths, as those of the default settings (data/portico.db), are below the root: /data.
WORKDIR /
ENV PORTICO_ADDR=0.0.0.0:3000 PORTICO_LOG_FORMAT=json
VOLUME /data
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["portico", "healthcheck"]
ENTRYPOINT ["portico"]
CMD ["serve"]
