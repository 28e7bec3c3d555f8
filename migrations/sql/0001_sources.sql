-- Sources: who may read and write what comes from outside. The worker pulls sales on the way that
-- pushed ones take, so it may write what an import writes.

GRANT SELECT, INSERT, UPDATE, DELETE ON sources, source_syncs TO morrow_api;
-- Of these the API only erases what is a tenant's that goes, or of a source that was replaced.
GRANT SELECT, DELETE ON order_lines, weather_days, traffic_days TO morrow_api;

GRANT SELECT, UPDATE ON sources TO morrow_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON source_syncs, order_lines, weather_days, traffic_days
TO morrow_worker;
GRANT INSERT ON locations, products, series, sale_corrections TO morrow_worker;
GRANT INSERT, UPDATE ON sales, regressor_days, series_growth TO morrow_worker;
