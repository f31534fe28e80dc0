#!/bin/sh
# Who may do what, on the first start of ClickHouse: the edge inserts and selects, Grafana selects. Runs after the
# table is made. Statements travel through standard input, so that no process list shows a password.
set -eu
clickhouse-client --user "$CLICKHOUSE_USER" --password "$CLICKHOUSE_PASSWORD" --multiquery <<SQL
CREATE USER IF NOT EXISTS rill_edge IDENTIFIED BY '${RILL_CLICKHOUSE_PASSWORD}';
CREATE USER IF NOT EXISTS rill_grafana IDENTIFIED BY '${RILL_CLICKHOUSE_GRAFANA_PASSWORD}' SETTINGS readonly = 2;
GRANT SELECT, INSERT ON default.rill_qos TO rill_edge;
GRANT SELECT ON default.rill_qos TO rill_grafana;
SQL
