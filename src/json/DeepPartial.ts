/**
 * A value of type `T` that is still growing: members and elements may be missing at any depth, and a string may be the
 * beginning of one, also where `T` allows a few fixed strings only.
 */
export type DeepPartial<T> = unknown extends T
  ? T
  : T extends readonly unknown[]
    ? number extends T['length']
      ? DeepPartial<T[number]>[]
      : { [Index in keyof T]?: DeepPartial<T[Index]> }
    : T extends object
      ? { [Key in keyof T]?: DeepPartial<T[Key]> }
      : T;
