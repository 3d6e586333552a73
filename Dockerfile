# Conventions of the official Caddy image, so that swapping `image:` is the whole migration.
FROM rust:1-bookworm AS build
# What is shipped is built with `dist`; `release` is quicker to try something with.
ARG PROFILE=dist
# Whether that is guided by a profile (benches/pgo): it takes twice as long, and is not for machines that are emulated.
# Without the tools for it, the build goes on unguided, and says so.
ARG GUIDED=yes
RUN if [ "$PROFILE-$GUIDED" = dist-yes ]; then \
      { apt-get update -q \
        && apt-get install -y -q --no-install-recommends nginx-light nghttp2-client openssl python3 wrk \
        && rustup component add llvm-tools \
        && touch /guided; } || echo "NOT guided by a profile: its tools are not to be had" >&2; \
    fi
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY grammar grammar
COPY benches benches
COPY src src
RUN { [ -e /guided ] && benches/pgo || cargo build --locked --profile "$PROFILE" --bin proxy; } \
 && install -D "target/$PROFILE/proxy" /out/proxy \
 && rm -rf target

FROM debian:bookworm-slim
# mime types as Caddy's image has them, wget and curl for health checks, setcap for ports 80 and 443 without root.
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends ca-certificates curl media-types wget libcap2-bin \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /etc/caddy /usr/share/caddy /srv /etc/proxy/certs \
 && mkdir -p -m 1777 /config /config/caddy /data /data/caddy
COPY --from=build /out/proxy /usr/bin/proxy
RUN setcap cap_net_bind_service=+ep /usr/bin/proxy && ln -s proxy /usr/bin/caddy && ln -s proxy /usr/bin/proxy-rs
COPY testdata/image/Caddyfile /etc/caddy/Caddyfile
COPY testdata/image/index.html /usr/share/caddy/index.html
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
LABEL org.opencontainers.image.title=proxy \
      org.opencontainers.image.description="A drop-in successor of the Caddy web server" \
      org.opencontainers.image.licenses=Apache-2.0
EXPOSE 80 443 443/udp 2019 9090
WORKDIR /srv
# A config.toml that somebody has mounted comes first; none ships there.
CMD ["sh", "-c", "if [ -e /etc/proxy/config.toml ]; then exec proxy-rs --config /etc/proxy/config.toml; fi; exec caddy run --config /etc/caddy/Caddyfile --adapter caddyfile"]
