#!/bin/sh
# Start the gateway; on the first start write the starter configuration and tell the one-time login link.
set -eu
home=/var/lib/warm-handoff/gateway
if [ ! -e "$home/gateway.toml" ]; then
    gateway init "$home"
fi
# Inside the container every address is listened on; who reaches it is for the published ports to say.
# For HL7v2 in the clear that means: compose.yaml publishes it on loopback alone. Set TLS before you publish it wider.
export GATEWAY_MLLP__PLAIN_ALLOWED="${GATEWAY_MLLP__PLAIN_ALLOWED:-true}"
exec gateway serve --config "$home" --http 0.0.0.0:8080 --mllp 0.0.0.0:2575
