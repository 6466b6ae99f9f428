# The image of every process of Capstan: docker build -t capstan:0.1.0 .
#   NODE_IMAGE   what it runs on: any image with Node 24 at NODE; it needs no shell
#   BUILD_IMAGE  what it is built with: Node 24, npm and a shell
ARG BUILD_IMAGE=node:24-slim
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS base

# Until its packages are there this stage is, line by line, that of examples/bank/Dockerfile: they are installed once for both.
FROM ${BUILD_IMAGE} AS build
RUN mkdir -p /build /opt/capstan && chown 10001:10001 /build /opt /opt/capstan
USER 10001:10001
ENV HOME=/tmp
WORKDIR /build
COPY --chown=10001:10001 package.json package-lock.json .npmrc ./
# Not "npm ci": it refuses a lock file that lacks packages of platforms which a registry mirror does not carry.
RUN npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
USER 0:0
# PostgreSQL wants its user to have a name, in the image and here.
COPY --from=base /etc/passwd /etc/group /accounts/
# The user and the folder are those of the image: V8's compile cache is kept by user and path.
RUN for etc in /etc /accounts; do \
      echo 'capstan:x:10001:10001:Capstan:/nonexistent:/usr/sbin/nologin' >> $etc/passwd && \
      echo 'capstan:x:10001:' >> $etc/group; \
    done
USER 10001:10001
COPY --chown=10001:10001 LICENSE tsconfig.json ./
COPY --chown=10001:10001 core ./core
COPY --chown=10001:10001 integration ./integration
COPY --chown=10001:10001 ledger ./ledger
COPY --chown=10001:10001 operator ./operator
COPY --chown=10001:10001 server ./server
COPY --chown=10001:10001 workers ./workers
COPY --chown=10001:10001 cli ./cli
COPY --chown=10001:10001 scripts ./scripts
RUN node scripts/image/content.ts /opt/capstan
RUN NODE_COMPILE_CACHE=/opt/capstan/compile-cache node scripts/image/warm.ts /opt/capstan/bin/capstan

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="capstan" \
      org.opencontainers.image.description="Runs Stellar anchors: SEP-24 server, workers, hot wallet and operator." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /accounts /etc
COPY --from=build --chown=0:0 /opt/capstan /opt/capstan
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/capstan/compile-cache \
    PATH=/opt/capstan/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 10001:10001
ENTRYPOINT ["capstan"]
CMD ["--help"]
