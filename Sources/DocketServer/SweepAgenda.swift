/// Which connections the sweeps to come look at.
///
/// Who has something that may become due soon is looked at by the next sweep, and who is silent only when he may have been so for too long,
/// or each twentieth time: of ten thousand silent ones a sweep looks at five hundred.
///
///     sweep    42       43       44   …   61
///           [a, b]   [c, d]      []      [d]       d began a frame that is due in 43: its place in 61 counts no more
struct SweepAgenda {
  /// Nobody is put off by more sweeps, so that places that count no more are soon forgotten.
  static let longest = 20
  /// Who comes is put off by another number of sweeps each time, since those who come together would be looked at together.
  private var arrivals = 0

  /// Those of the sweep n are at n modulo their count.
  private var places = Array(repeating: [ObjectIdentifier](), count: longest + 1)

  /// By how many sweeps the next one who comes may be put off.
  mutating func nextDelay() -> Int {
    arrivals = (arrivals + 1) % Self.longest
    return 1 + arrivals
  }

  /// How many places there are, those that count no more among them.
  var count: Int { places.reduce(0) { $0 + $1.count } }

  mutating func append(_ connection: ObjectIdentifier, in sweep: Int) {
    places[sweep % places.count].append(connection)
  }

  /// Takes those of a sweep.
  mutating func take(_ sweep: Int) -> [ObjectIdentifier] {
    let taken = places[sweep % places.count]
    places[sweep % places.count] = []
    return taken
  }
}
