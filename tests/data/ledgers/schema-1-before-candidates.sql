BEGIN TRANSACTION;
CREATE TABLE campaign (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	definition TEXT NOT NULL, 
	status VARCHAR NOT NULL, 
	sessions INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name, number)
);
INSERT INTO "campaign" VALUES('tiny-1','tiny',1,'2df967565506f7b7','{"version":1,"name":"tiny","kind":"experiment","description":"","command":["true"],"objective":{"version":1,"metric":"score","goal":"maximize"},"objectives":[],"metrics":[],"patterns":{},"space":{"x":{"type":"float","low":0,"high":1}},"forbidden":[],"rules":[],"baseline":{"x":0.5},"seed":0,"environment":{},"retries":1,"limits":{"version":1,"time_s":600.0,"memory_mb":4096.0,"output_mb":100.0,"processes":64,"parallel":2},"budget":{"version":1,"cycles":10,"jobs":null,"time_s":null,"usd":null,"tokens":null,"model_time_s":null},"until":null,"early_stop":null,"noise":{"version":1,"repeats":3,"verdict_pairs":5,"confirmations":12,"confirmation_pairs":2},"council":{"version":1,"director":{"use":"thresholds","weight":1.0,"model":""},"proposers":[{"use":"bayes","weight":1.0,"model":""},{"use":"quasi_random","weight":1.0,"model":""},{"use":"recombine","weight":1.0,"model":""},{"use":"probe","weight":1.0,"model":""}],"voting":[{"use":"world_model","weight":1.0,"model":""},{"use":"novelty","weight":1.0,"model":""},{"use":"constraints","weight":1.0,"model":""}],"supervisor":{"use":"gatekeeper","weight":1.0,"model":""},"executor":{"use":"job","weight":1.0,"model":""},"historian":{"use":"chronicler","weight":1.0,"model":""},"jobs_per_cycle":3},"model":{"version":1,"use":"none","roles":{},"temperature":0.0,"context_tokens":8192,"timeout_s":120.0,"retries":2,"repairs":2,"concurrency":4,"prices":{}},"control":[],"sealed":null,"cost_metric":"","here":"."}','running',0,1760000000.0,1760000000.0);
CREATE TABLE effect (
	"key" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	campaign_id VARCHAR NOT NULL, 
	request_hash VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	fence INTEGER NOT NULL, 
	owner VARCHAR NOT NULL, 
	remote_id VARCHAR NOT NULL, 
	request TEXT NOT NULL, 
	result TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "effect" VALUES('j-1','job','tiny-1','45fa679977289675167a1e277c1febba4c59b00c64853a8462116f46f1a5f4f7','finished',1,'[1, 1, "boot", "host"]','','{"x": 1}','42',1760000006.0,1760000007.0);
CREATE TABLE embedding (
	position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR NOT NULL, 
	collection VARCHAR NOT NULL, 
	campaign_id VARCHAR NOT NULL, 
	model_id VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	vector BLOB NOT NULL, 
	metadata TEXT NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "embedding" VALUES(1,'t-1','trajectories','tiny-1','m','a text',X'9A99193FCDCC4C3F','{}');
CREATE TABLE event (
	seq INTEGER NOT NULL, 
	campaign_id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	cycle INTEGER NOT NULL, 
	subject VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (campaign_id, "key")
);
INSERT INTO "event" VALUES(1,'tiny-1','ProposalMade:1:p-b09105119d','ProposalMade',1,'p-b09105119d',1760000001.0,1,'{"version":1,"campaign_id":"tiny-1","cycle":1,"type":"ProposalMade","proposal":{"version":1,"id":"p-b09105119d","campaign_id":"tiny-1","cycle":1,"proposer":"tester","kind":"experiment","config":{"x":1.01},"files":{},"comments":{},"rationale":"a test","expected":null,"expected_metrics":{},"probes":"","parents":[],"memories":[],"guidance":[],"source":"rules"}}');
INSERT INTO "event" VALUES(2,'tiny-1','ProposalMade:1:p-761a424195','ProposalMade',1,'p-761a424195',1760000002.0,1,'{"version":1,"campaign_id":"tiny-1","cycle":1,"type":"ProposalMade","proposal":{"version":1,"id":"p-761a424195","campaign_id":"tiny-1","cycle":1,"proposer":"tester","kind":"experiment","config":{"x":1.02},"files":{},"comments":{},"rationale":"a test","expected":null,"expected_metrics":{},"probes":"","parents":[],"memories":[],"guidance":[],"source":"rules"}}');
INSERT INTO "event" VALUES(3,'tiny-1','ProposalRuled:1:p-b09105119d','ProposalRuled',1,'p-b09105119d',1760000003.0,1,'{"version":1,"campaign_id":"tiny-1","cycle":1,"type":"ProposalRuled","ruling":{"version":1,"proposal_id":"p-b09105119d","decision":"accept","risk":0.1,"rule":"all","reason":"a test","amended":null,"source":"rules"}}');
INSERT INTO "event" VALUES(4,'tiny-1','JobFinished:1:j-p-b09105119d','JobFinished',1,'j-p-b09105119d',1760000004.0,1,'{"version":1,"campaign_id":"tiny-1","cycle":1,"type":"JobFinished","purpose":"proposal","outcome":{"version":1,"job_id":"j-p-b09105119d","proposal_id":"p-b09105119d","status":"ok","config":{"x":1.01},"seed":0,"metrics":{"score":0.5},"noise":{},"cause":"","reason":"","curve":[],"steps":0,"duration_s":0.0,"cpu_s":0.0,"peak_memory_mb":0.0,"attempt":1,"isolation":{}},"score":0.5}');
INSERT INTO "event" VALUES(5,'tiny-1','CampaignResumed:0:2','CampaignResumed',0,'2',1760000005.0,1,'{"version":1,"campaign_id":"tiny-1","cycle":0,"type":"CampaignResumed","session":2}');
CREATE TABLE lease (
	name VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	start_time BIGINT NOT NULL, 
	boot_id VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	fence INTEGER NOT NULL, 
	acquired_at FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE ledger (
	name VARCHAR NOT NULL, 
	value VARCHAR, 
	PRIMARY KEY (name)
);
INSERT INTO "ledger" VALUES('schema','1');
CREATE INDEX ix_campaign_name ON campaign (name);
CREATE INDEX ix_event_subject ON event (subject);
CREATE INDEX ix_effect_campaign_id ON effect (campaign_id);
CREATE INDEX ix_embedding_collection ON embedding (collection);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('embedding',1);
COMMIT;
