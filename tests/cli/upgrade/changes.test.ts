import { expect, test } from 'vitest';
import { changesSince } from '../../../cli/upgrade/changes.ts';

const CHANGELOG = `# Changelog

Words before the first version.

## [Unreleased]

- D

## [0.10.0] - 2027-01-01

- C

## [0.9.0] - 2026-12-01

### Search

- B

## [0.1.0]

- A
`;

test('returns the sections of newer versions and of unreleased changes', () => {
  expect(changesSince('0.9.0', CHANGELOG)).toBe('## [Unreleased]\n\n- D\n\n## [0.10.0] - 2027-01-01\n\n- C');
  expect(changesSince('0.1.0', CHANGELOG)).toContain('### Search\n\n- B');
  expect(changesSince('0.10.0', CHANGELOG.replace('[Unreleased]', '[0.2.0]'))).toBe('');
});

test('reads the changelog of this program', () => {
  expect(changesSince('0.0.1')).toContain('## [0.1.0]');
});
