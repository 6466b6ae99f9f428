/** The protocol's limit of operations in one transaction. Apart from envelope.ts, which loads the SDK. */
export const MAX_OPERATIONS = 100;
