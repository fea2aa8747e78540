// A marble test that forgot to expect anything would pass in silence.
beforeEach(() => {
  expect.hasAssertions();
});
