import type { WireFailure } from './types.js';

/** Names of google.rpc.Code by HTTP status, with the words that the vendor uses. */
const ERRORS: Record<number, [string, string]> & { 500: [string, string] } = {
  400: ['INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  403: ['PERMISSION_DENIED', 'The caller does not have permission'],
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  429: ['RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan and billing details.'],
  499: ['CANCELLED', 'The operation was cancelled.'],
  500: [
    'INTERNAL',
    'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  ],
  503: ['UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  504: ['DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
};

/** An error object of Google's APIs. The vendor has no 529. */
export function googleError({ status, type, message }: WireFailure): {
  error: { code: number; message: string; status: string };
} {
  const code = status === 529 ? 503 : status;
  const [name, words] = ERRORS[code] ?? (code < 500 ? ['INVALID_ARGUMENT', 'Invalid request.'] : ERRORS[500]);
  return { error: { code, message: message ?? words, status: type ?? name } };
}

/** JSON with the blanks that the vendor's streams have: one after each colon, none after a comma. */
export function googleJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(googleJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${googleJson(member)}`).join(',')}}`;
}
