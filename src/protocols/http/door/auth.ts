// Terraform sends Basic (TF_HTTP_USERNAME, TF_HTTP_PASSWORD); who writes a request by hand may send Bearer.
export { authenticate } from '../../authenticate.ts';
