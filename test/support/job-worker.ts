/** The job pool's worker as it was built: threads cannot run the sources. */
export const BUILT_WORKER = new URL('../../dist/jobs/job-worker.js', import.meta.url);
