// Clusters: rows told apart by k-means, and what a mixture starts with on them.
#pragma once

#include <span>
#include <vector>

#include "pushforward/block.h"
#include "pushforward/random.h"

namespace pushforward {

/// Which row belongs to which cluster. Rows with a number that is not finite belong to none.
struct PUSHFORWARD_EXPORT Clusters {
  Index count = 0;
  Index columns = 0;
  std::vector<double> centres;  // count x columns, cluster after cluster
  std::vector<Index> of_row;    // -1: none
  std::vector<Index> sizes;     // rows of each cluster

  /// Share of cluster k in the rows; one row more is counted for each cluster, so that none has a share of zero.
  double share(Index k) const;
};

/// Clusters with a small sum of squared distances to their centres, every element measured in its own standard
/// deviation: Lloyd's iterations after greedy k-means++ seeding, the best of a few starts. A function of the rows and
/// of the draws' keys alone. Of many rows, ten thousand at equal distances are looked at. No cluster is empty unless
/// there are fewer different rows than clusters. Throws DataError if there are fewer finite rows than clusters.
///
/// Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007; Lloyd, "Least squares quantization
/// in PCM", 1982.
template <class T>
PUSHFORWARD_EXPORT Clusters k_means(Block<const T> rows, Index clusters, const Draws& draws);

/// Every row with the nearest of the given centres (count x columns), measured likewise.
template <class T>
PUSHFORWARD_EXPORT Clusters nearest_centres(Block<const T> rows, std::span<const double> centres, Index clusters);

/// As many different rows as clusters, drawn at random, and all rows with the nearest of them. Throws like k_means.
template <class T>
PUSHFORWARD_EXPORT Clusters random_centres(Block<const T> rows, Index clusters, const Draws& draws);

/// Variances within each cluster (count x columns), around its mean. They are positive: each is drawn towards the
/// variance within all clusters with the weight of columns + 1 rows, and is at least 1e-6 of the whole variance.
template <class T>
PUSHFORWARD_EXPORT std::vector<double> variances_within(Block<const T> rows, const Clusters& clusters);

/// Covariance matrices of the clusters (count x columns x columns), positive definite for the same reason; or,
/// `pooled`, the one of all rows around the means of their clusters.
template <class T>
PUSHFORWARD_EXPORT std::vector<double> covariances_within(Block<const T> rows, const Clusters& clusters, bool pooled);

}  // namespace pushforward
