"""Weight sharing: does one synapse act in more than one place?

A synapse has one post-synaptic cell. One entry of an array of weights is moved, all activity being put back after each step
(`harness.audit.graph`); if, of the population it leads to, it acts on several units, or on one unit in several places side by
side, many synapses share one number. A kernel that is moved over an image, and a projection used for every token, are such.
That a weight acts again at later times is no sharing.
"""
