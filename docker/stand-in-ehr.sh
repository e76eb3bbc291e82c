#!/bin/sh
# Start the stand-in EHR on the addresses of the starter configuration's hospital and clinic.
set -eu
home=/var/lib/warm-handoff/gateway
token=/tmp/ehr-token
renew() { gateway token demo-ehr --config "$home" > "$token.new" && mv "$token.new" "$token"; }
until renew; do sleep 1; done
# Tokens live for five minutes.
while sleep 200; do renew || true; done &
exec python -m gateway.demo.receiving_ehr --http 127.0.0.1:8090 --mllp 127.0.0.1:2590 \
    --gateway http://127.0.0.1:8080 --gateway-mllp 127.0.0.1:2575 --token-file "$token" --data /tmp/ehr
