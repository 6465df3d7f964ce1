-- What an installation begins with; admins change it. Each description says in the words of tickets when it fits.
INSERT INTO ticket_options (id, version, kind, key, name, description, position, audience) VALUES
('0198c0de-0000-7000-8000-0000000c0001', 1, 'CATEGORY', 'incident', 'Incident', 'A service is down, unreachable or failing for many users right now: outage, errors, timeouts, alerts.', 1, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0002', 1, 'CATEGORY', 'bug', 'Bug', 'Something does not work as it should: wrong result, error message, exception, crash, broken behaviour.', 2, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0003', 1, 'CATEGORY', 'performance', 'Performance', 'Something works but is slow or uses too much: latency, memory, CPU, disk, queue growing.', 3, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0004', 1, 'CATEGORY', 'security', 'Security', 'A vulnerability, leaked secret, attack, phishing, suspicious login, certificate or patch for a CVE.', 4, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0005', 1, 'CATEGORY', 'access', 'Access', 'Somebody cannot log in or needs an account, permission, password reset, VPN or licence.', 5, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0006', 1, 'CATEGORY', 'billing', 'Billing', 'Invoices, payments, refunds, prices, charges and subscriptions of customers.', 6, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0007', 1, 'CATEGORY', 'feature', 'Feature request', 'A wish for something new or better: add, support, allow, improve, enhancement, proposal.', 7, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0008', 1, 'CATEGORY', 'question', 'Question', 'Somebody asks how something works or how to do it: help, usage, documentation, clarification.', 8, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0009', 1, 'CATEGORY', 'people', 'People', 'A matter between an employee and the employer: payroll, salary, leave, sickness, conduct, harassment.', 9, 'PEOPLE'),
('0198c0de-0000-7000-8000-0000000c0011', 1, 'PRIORITY', 'urgent', 'Urgent', 'Many users cannot work, data is being lost or a system is under attack: outage, production down, emergency.', 1, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0012', 1, 'PRIORITY', 'high', 'High', 'Important work is blocked or failing for some users, and there is no workaround: crash, cannot, blocked, regression.', 2, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0013', 1, 'PRIORITY', 'normal', 'Normal', 'It disturbs, but work goes on or there is a workaround; ordinary bugs and requests.', 3, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0014', 1, 'PRIORITY', 'low', 'Low', 'Cosmetic, minor, nice to have, typo, documentation, question, whenever there is time.', 4, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0021', 1, 'TEAM', 'operations', 'Operations', 'Servers, network, databases, deployments, monitoring, outages, disk, memory and certificates.', 1, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0022', 1, 'TEAM', 'development', 'Development', 'Program code: bugs, exceptions, wrong results, APIs, tests, libraries and new features.', 2, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0023', 1, 'TEAM', 'support', 'Support', 'Help for users: accounts, passwords, permissions, how-to questions, laptops, printers and invoices.', 3, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0024', 1, 'TEAM', 'security', 'Security', 'Attacks, vulnerabilities, leaked secrets, phishing and audits.', 4, 'GENERAL'),
('0198c0de-0000-7000-8000-0000000c0025', 1, 'TEAM', 'people', 'People', 'Human resources: payroll, salary, contracts, leave, sickness, conduct and complaints about colleagues.', 5, 'PEOPLE')
ON CONFLICT (kind, key) DO NOTHING;
