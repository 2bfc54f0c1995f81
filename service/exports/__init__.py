"""What others read: Prometheus' text, Optuna's and MLflow's stores, tables, traces; and webhooks."""
