import type { DoorRequest } from '../door.ts';

/** The products by which Terraform and OpenTofu name themselves (aws-sdk-go-base, `APNInfo`; internal/httpclient, `UserAgent`). */
const RUN = /\b(?:Terraform|OpenTofu)\//;

/** Whether a request comes from a run of terraform or tofu, and not from its user's own tools. */
export function isRun(request: Pick<DoorRequest, 'header'>): boolean {
  return RUN.test(request.header('user-agent') ?? '');
}
