import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Runs the journeys in a browser after all other files: a browser takes more than one core, and others measure time. */
export class JourneysLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isJourney = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/viewer/journeys/');
    return [...sorted.filter((file) => !isJourney(file)), ...sorted.filter(isJourney)];
  }
}
