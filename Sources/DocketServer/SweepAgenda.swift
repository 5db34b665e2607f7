/// Which connections the sweeps to come look at.
///
/// Whoever has had a part in a tick is looked at by the next sweep, and from then on only when something of it may be due: of ten thousand
/// silent ones a sweep looks at some hundred.
///
///     sweep    42       43       44   …   61
///           [a, b]   [a, c]      []      [d]       a was put off from 43 to 61, say: its place in 43 counts no more
struct SweepAgenda {
  /// Nobody is put off by more sweeps, so that places that count no more are soon forgotten.
  static let longest = 20

  /// Those of the sweep n are at n modulo their count.
  private var places = Array(repeating: [ObjectIdentifier](), count: longest + 1)

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
