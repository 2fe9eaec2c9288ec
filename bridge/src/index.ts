/** `@hyperty/bridge`: translates the fabric to outside networks; today the Matrix protostub. */
export {
  createMatrixProtostub,
  FRAME_EVENT_TYPE,
  type MatrixProtostubOptions,
} from './matrix/matrix-protostub.ts';
export {
  loadSession,
  logIn,
  logOut,
  saveSession,
  type LogInOptions,
  type Session,
} from './matrix/session.ts';
