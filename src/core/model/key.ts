/** What a finding, a standing and an alert have in common: what they are about. */

/**
 * @returns one text for (rule id, subject, target), the identity of trouble between passes.
 */
export function findingKey(
  about: ({ readonly id: string } | { readonly ruleId: string }) & {
    readonly subject: string;
    readonly target: string | null;
  },
): string {
  return JSON.stringify(['ruleId' in about ? about.ruleId : about.id, about.subject, about.target]);
}
