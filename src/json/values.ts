/** A value that JSON can express. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Keys and indexes that lead from the top-level value to one inside it; empty for the top-level value itself. */
export type JsonPath = readonly (string | number)[];
