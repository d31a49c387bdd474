/** Query of every job: its progress, as the view of the job. */
export const PROGRESS_QUERY = 'progress';
