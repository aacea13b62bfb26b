// The digit of a key: of the row above the letters, whatever the layout types there, or of the number pad.

export const digit = ({ code, key }) => /^Digit(\d)$/.exec(code)?.[1] ?? /^\d$/.exec(key)?.[0];
