/** Why bids are let through or held back right now: the controller's terms in plain words. */
import type { BudgetStatus, Explanation } from '../api/types.ts';
import { money, percent, plain, price } from '../format.ts';
import { Panel } from '../ui/notices.tsx';

type Explained = BudgetStatus & { readonly explain: Explanation };

export function WhyPanel({ status }: { readonly status: Explained }) {
  const { explain } = status;
  const asksKnown = explain.asked_cents_per_second > 0;
  return (
    <Panel title="Why" aside={<span class="soft small">the controller, now</span>}>
      <p class="why-sentence">{headline(status)}</p>
      {explain.gate !== 'within_budget' && <p class="small soft why-because">{explain.because}</p>}
      <dl class="terms">
        <Term name="Wanted now" value={`${money(60 * explain.wanted_spend_cents_per_second)} a minute`} />
        <Term name="The plan alone" value={`${money(60 * explain.target_cents_per_second)} a minute`} />
        {asksKnown && (
          <>
            <Term name="Bids asked for" value={`${money(60 * explain.asked_cents_per_second)} a minute`} />
            <Term name="Of an allowed dollar is spent" value={percent(explain.spend_per_allowed, 1)} />
            <Term name="Mean bid" value={price(explain.mean_bid_cents)} />
            <Term name="Mean winning price" value={price(explain.mean_win_cents)} />
            <Term name="Win notices take" value={`${explain.notice_delay_seconds.toFixed(1)} s`} />
          </>
        )}
        <Term name="Spent, or about to be" value={money(explain.effective_spent_cents)} />
        <Term name="Reserved by bids in flight" value={money(explain.reserved_cents)} />
        {explain.bid_cap_cents !== null && (
          <Term name="A bid may cost at most" value={price(explain.bid_cap_cents)} />
        )}
      </dl>
    </Panel>
  );
}

function Term({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** One sentence: how much is held back, and what for. */
function headline({ explain, pacing_mode }: Explained): string {
  const { gate, throttle_rate, effective_spent_cents: spent, target_cents: target } = explain;
  const gap = Math.abs(spent - target);
  const where = spent >= target ? `${money(gap)} ahead of plan` : `${money(gap)} behind plan`;
  if (gate === 'probe')
    return 'The breaker is testing the water: a few bids pass, the rest waits for their results.';
  if (gate !== 'within_budget') return `No bid passes: ${plain(gate).toLowerCase()}.`;
  if (explain.free_cents <= 0)
    return 'Nothing is left: all of the budget is spent or held by bids in flight.';
  if (explain.asked_cents_per_second === 0) return `Nobody is asking for bids right now; spend is ${where}.`;
  const held = percent(throttle_rate, throttle_rate > 0.995 && throttle_rate < 1 ? 1 : 0);
  if (pacing_mode === 'ASAP') {
    return throttle_rate > 0
      ? `Held back ${held} because ${percent(spent / explain.budget_cents)} of the budget is spent: ASAP slows down near its end.`
      : 'Nothing is held back: spending as fast as bids come.';
  }
  if (throttle_rate < 0.005) return `Nothing is held back: spend is ${where}, and every bid is wanted.`;
  if (gap < 0.005 * explain.budget_cents) {
    return `Held back ${held}: spend is on plan, and more bids are asked for than it needs.`;
  }
  if (spent > target) return `Held back ${held} because spend is ${where}.`;
  return `Held back ${held}: spend is ${where}, and the rest is enough to catch up gently.`;
}
