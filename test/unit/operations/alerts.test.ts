import { describe, expect, it } from 'vitest';
import { readText, readYaml } from '../../support/deployment-files.ts';

interface Rule {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const { groups } = readYaml<{ groups: readonly { readonly rules: readonly Rule[] }[] }>(
  'docker/prometheus/alerts.yml',
);
const rules = groups.flatMap((group) => group.rules);
const headings = [...readText('docs/runbook.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);

describe('the alerts', () => {
  it('each have an entry of their own in the runbook, and it has no other', () => {
    expect(headings).toEqual(expect.arrayContaining(rules.map((rule) => rule.alert)));
    expect(headings).toHaveLength(rules.length);
    for (const { alert, annotations } of rules) {
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });

  it('say how urgent they are', () => {
    for (const { alert, labels } of rules) expect(['warning', 'critical'], alert).toContain(labels.severity);
  });

  it('are each tested by a case that fires them', () => {
    interface Case {
      readonly alert_rule_test: readonly {
        readonly alertname: string;
        readonly exp_alerts?: readonly object[];
      }[];
    }
    const { tests } = readYaml<{ tests: readonly Case[] }>('docker/prometheus/alerts.test.yml');
    const fired = tests
      .flatMap((test) => test.alert_rule_test)
      .filter((test) => (test.exp_alerts ?? []).length > 0)
      .map((test) => test.alertname);
    expect(rules.map((rule) => rule.alert).filter((alert) => !fired.includes(alert))).toEqual([]);
  });
});
